import { expect, test } from "vitest";
import { describePhpModule } from "../../src/workstation/find-php.ts";

const APACHE = { version: "8.2", sapi: "apache2" } as const;

test("describes a module for the PHP of Apache", () => {
  const settings = "; priority=15\nzend_extension=xdebug.so\n";
  expect(describePhpModule("xdebug", settings, APACHE)).toEqual({
    library: "xdebug.so",
    link: "/etc/php/8.2/apache2/conf.d/15-xdebug.ini",
    mark: "/var/lib/php/modules/8.2/apache2/disabled_by_admin/xdebug",
    enable: ["phpenmod", "-v", "8.2", "-s", "apache2", "xdebug"],
    disable: ["phpdismod", "-v", "8.2", "-s", "apache2", "xdebug"],
    test: ["apache2ctl", "configtest"],
  });
});

test("tests the settings of an FPM by its own program", () => {
  const { test: check, link } = describePhpModule("apcu", "extension=apcu.so", {
    version: "8.3",
    sapi: "fpm",
  });
  expect(check).toEqual(["php-fpm8.3", "--test"]);
  expect(link).toBe("/etc/php/8.3/fpm/conf.d/20-apcu.ini");
});

test.each([
  ["extension=/usr/lib/php/apcu.so", "apcu.so"],
  ['extension="apcu"', "apcu.so"],
  ["  zend_extension = opcache ; comment", "opcache.so"],
  [";extension=other.so", "module.so"],
])("reads the library of %j", (settings, library) => {
  expect(describePhpModule("module", settings, APACHE).library).toBe(library);
});
