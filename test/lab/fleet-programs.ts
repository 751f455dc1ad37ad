/** Stateful stand-ins for the programs of a Debian host that an upgrade needs, each host with its own: real servers would be real machines. */
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

/** They live in `bin` of the host's folder, and what they know in `state`, a file each. */
const PROGRAMS: Record<string, string> = {
  "apt-get": `
case " $* " in
  *" update "*)
    echo "$$" >>"$T/updated"
    [ ! -e "$T/lists-locked" ] || { echo "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 77 (apt-get)"; exit 100; }
    [ ! -e "$T/no-repository" ] || { echo "E: Failed to fetch http://deb.example.com"; exit 100; }; exit 0 ;;
  *" -s "*)
    [ ! -e "$T/unmet" ] || { echo "E: Unmet dependencies. Try 'apt --fix-broken install'" >&2; exit 100; }
    while read -r name old new; do echo "Inst $name [$old] ($new Debian:12 [amd64])"; done <"$T/upgradable"; exit 0 ;;
esac
echo "$$" >>"$T/begun"
while [ -e "$T/locked" ]; do sleep 0.1; done
while [ -e "$T/slow" ]; do sleep 0.1; done
[ ! -e "$T/fails" ] || { echo "E: Sub-process /usr/bin/dpkg returned an error code (1)"; exit 100; }
env | grep -E '^(APT_LISTCHANGES|DEBIAN|NEEDRESTART|UCF)_' >"$T/environment"
echo "$*" >"$T/arguments"
umask >"$T/umask"
cat "$T/upgradable" >>"$T/installed"
if grep -q ^linux-image "$T/upgradable"; then touch "$T/reboot-required"; fi
: >"$T/upgradable"`,
  "apt-mark": `cat "$T/held" 2>/dev/null; exit 0`,
  dpkg: `[ ! -e "$T/interrupted" ] || echo "The following packages are only half configured"`,
  needrestart: `echo "NEEDRESTART-VER: 3.6"; cat "$T/needs-restart" 2>/dev/null; exit 0`,
  systemctl: `
case "$1" in
  is-system-running) cat "$T/system" 2>/dev/null || echo offline ;;
  list-units) echo "$$" >>"$T/looked"; cat "$T/failed-units" 2>/dev/null; exit 0 ;;
  restart) echo "$2" >>"$T/restarted"; ! grep -qx "$2" "$T/stuck" 2>/dev/null ;;
esac`,
  "systemd-run": `
echo "$*" >>"$T/units"
while [ "\${1#--}" != "$1" ]; do shift; done
setsid "$@" </dev/null >/dev/null 2>&1 &`,
  lslocks: `cat "$T/locks" 2>/dev/null; exit 0`,
  df: `
[ "$1" = -Pk ] || exec /bin/df "$@"
free=$(cat "$T/free$(echo "$2" | tr / -)" 2>/dev/null || cat "$T/free" 2>/dev/null) || exec /bin/df "$@"
echo "Filesystem 1024-blocks Used Available Capacity Mounted on"
echo "/dev/x 40000000 1 $free 1% $2"`,
  reboot: `
echo "$$" >>"$T/reboots"
[ -e "$T/same-boot" ] || { cat /proc/sys/kernel/random/uuid >"$T/boot-id"; rm -f "$T/reboot-required"; }`,
  sleep: `[ ! -e "$T/hurry" ] || exit 0; exec /bin/sleep "$@"`,
  id: `[ ! -e "$T/no-root" ] || { echo 1000; exit 0; }; exec /usr/bin/id "$@"`,
  sudo: `
[ "$1" = -n ] && [ ! -e "$T/wants-password" ] || { echo "sudo: a password is required" >&2; exit 1; }
shift; echo "$1" >>"$T/by-sudo"
umask 077; exec "$@"`,
  cat: `
[ $# -gt 0 ] || [ ! -e "$T/full" ] || { echo yes >"$T/was-full"; head -c 100; echo "cat: write error: No space left on device" >&2; exit 1; }
case "$1" in
  /proc/sys/kernel/random/boot_id) exec /bin/cat "$T/boot-id" ;;
  /run/reboot-required) exec /bin/cat "$T/reboot-required" ;;
esac
exec /bin/cat "$@"`,
};

/** Variables of the sessions of a host whose programs are these; they are written by it. */
export function writePrograms(folder: string): Record<string, string> {
  const [bin, state] = [path.join(folder, "bin"), path.join(folder, "state")];
  for (const made of [bin, state]) mkdirSync(made, { recursive: true });
  for (const [name, script] of Object.entries(PROGRAMS)) {
    const file = path.join(bin, name);
    writeFileSync(
      file,
      `#!/bin/sh\nT=${state}\n${script.replaceAll("cat ", name === "cat" ? "cat " : "/bin/cat ")}\n`,
    );
    chmodSync(file, 0o755);
  }
  resetHost(folder);
  return { PATH: `${bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin` };
}

/** Two packages to upgrade, nothing wrong. */
export function resetHost(folder: string): void {
  const state = path.join(folder, "state");
  rmSync(state, { recursive: true, force: true });
  mkdirSync(state);
  setState(folder, "upgradable", "openssl 1.1 1.2\nlibssl3 1.1 1.2\n");
  setState(folder, "free", "20000000\n");
  setState(folder, "boot-id", `boot-${Math.random()}\n`);
}

export function setState(folder: string, name: string, content = ""): void {
  writeFileSync(path.join(folder, "state", name), content);
}

export function dropState(folder: string, name: string): void {
  rmSync(path.join(folder, "state", name), { force: true });
}

/** What a program has written; empty where it has not. */
export function readState(folder: string, name: string): string {
  const file = path.join(folder, "state", name);
  return existsSync(file) ? readFileSync(file, "utf8") : "";
}
