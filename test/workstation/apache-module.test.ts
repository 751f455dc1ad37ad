import { expect, test } from "vitest";
import { apacheModuleService, describeApacheModule } from "../../src/workstation/apache-module.ts";
import { makeTools } from "../support/machine-tools.ts";

test("describes a module by the library that its settings load", () => {
  const settings =
    "# Depends: authn_core\n LoadModule auth_basic_module /usr/lib/apache2/modules/mod_x.so\n";
  expect(describeApacheModule("auth_basic", settings)).toEqual({
    library: "mod_x.so",
    link: "/etc/apache2/mods-enabled/auth_basic.load",
    mark: "/var/lib/apache2/module/disabled_by_admin/auth_basic",
    enable: ["a2enmod", "--quiet", "auth_basic"],
    disable: ["a2dismod", "--quiet", "auth_basic"],
    test: ["apache2ctl", "configtest"],
  });
});

test("takes the usual name of a library that no setting loads", () => {
  expect(describeApacheModule("rewrite", "# LoadModule rewrite_module x.so\n").library).toBe(
    "mod_rewrite.so",
  );
});

test("says of a module that Apache lacks that it is not installed", async () => {
  const service = apacheModuleService({ module: "no-such-module" }, makeTools());
  expect(await service.observe()).toEqual({ state: "not installed" });
});
