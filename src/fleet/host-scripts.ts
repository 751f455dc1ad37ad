/**
 * What is run on the hosts, for any POSIX shell. A script is sent as the input of `sh -s`; a function that is called in its last line keeps one that
 * was cut on its way from being begun. What a script finds it prints as lines `key<TAB>value`.
 */

/** Root, or through a sudo that cannot ask; and the programs of root. `$D` is where the job of a run keeps its state. */
const BEGINNING = `
PATH=$PATH:/usr/sbin:/sbin; export PATH
LC_ALL=C; export LC_ALL
if [ "$(id -u)" = 0 ]; then S=; else S="sudo -n"; fi
say() { printf '%s\\t%s\\n' "$1" "$2"; }
D="\${XDG_STATE_HOME:-$HOME/.local/state}/lcops/$1"
boot_id() { cat /proc/sys/kernel/random/boot_id; }
`;

/** Given `refresh`, bring a host's lists of packages up to date; given anything else, change nothing. Say what it would upgrade, and what is in the way. */
export const PLAN_SCRIPT = `
# Its own waiting (DPkg::Lock::Timeout) is for dpkg's locks, not for that of the lists, which the daily timers hold.
refresh() {
  turn=0
  until update=$($S apt-get -q -o APT::Update::Error-Mode=any update 2>&1 </dev/null); do
    case "$update" in *"Could not get lock"*) ;; *) return 1 ;; esac
    turn=$((turn + 1)); [ $turn -lt 60 ] || return 1
    sleep 1
  done
}
main() {
${BEGINNING}
  command -v apt-get >/dev/null 2>&1 || { say blocked "it has no apt-get"; return 0; }
  [ -z "$S" ] || $S true 2>/dev/null || { say blocked "sudo wants a password"; return 0; }
  say boot "$(boot_id)"
  lslocks -n -r -o COMMAND,PID,PATH 2>/dev/null </dev/null | while read -r command pid path; do
    case "$path" in */dpkg/lock-frontend | */dpkg/lock | */apt/lists/lock) say lock "$command (pid $pid)";; esac
  done
  [ -z "$($S dpkg --audit 2>&1 </dev/null)" ] || say blocked "dpkg was interrupted there; run dpkg --configure -a"
  for folder in / /var /boot; do
    say free "$folder $(df -Pk "$folder" 2>/dev/null </dev/null | awk 'NR == 2 { print $4 }')"
  done
  apt-mark showhold 2>/dev/null </dev/null | while read -r name; do say held "$name"; done
  [ "$1" != refresh ] || refresh || say blocked "apt-get update failed: $(printf '%s' "$update" | grep '^[EW]:' | head -1)"
  simulated=$($S apt-get -s -o APT::Get::Always-Include-Phased-Updates=true --with-new-pkgs upgrade 2>&1 </dev/null) ||
    say blocked "apt-get -s upgrade failed: $(printf '%s' "$simulated" | grep '^[EW]:' | head -1)"
  printf '%s\n' "$simulated" | while read -r word name rest; do [ "$word" != Inst ] || say package "$name $rest"; done
  if cat /run/reboot-required >/dev/null 2>&1; then say reboot wanted; fi
  systemctl list-units --state=failed --no-legend --plain 2>/dev/null </dev/null | while read -r unit rest; do say failedUnit "$unit"; done
  say end plan
}
main "$@"
`;

/**
 * The job itself, which no lost connection ends. It asks nothing, keeps configuration files that were changed by hand, then restarts what runs on
 * replaced libraries: sshd last and once, since systemd gives up what is restarted again and again (liske/needrestart#340). Its last act is its result.
 */
const JOB = `#!/bin/sh
umask 022
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l NEEDRESTART_SUSPEND=1 UCF_FORCE_CONFFOLD=1
APT_LISTCHANGES_FRONTEND=none LC_ALL=C
export PATH DEBIAN_FRONTEND NEEDRESTART_MODE NEEDRESTART_SUSPEND UCF_FORCE_CONFFOLD APT_LISTCHANGES_FRONTEND LC_ALL
cd "$(dirname "$0")" || exit 1
echo $$ >pid
trap '' HUP
end() { echo "$1" >exit.tmp && mv exit.tmp exit; exit "$1"; }
apt-get -y -q -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold -o DPkg::Lock::Timeout=600 \\
  -o APT::Get::Always-Include-Phased-Updates=true --with-new-pkgs upgrade </dev/null >>log 2>&1 || end $?
if command -v needrestart >/dev/null 2>&1; then
  needrestart -b </dev/null >needrestart 2>>log
  ssh=
  for service in $(sed -n 's/^NEEDRESTART-SVC: *//p' needrestart); do
    case $service in
      ssh.service | sshd.service) ssh=$service ;;
      # What ends sessions or the network with it waits for a reboot, as in needrestart's own configuration.
      dbus* | systemd-* | getty@* | user@* | networking* | NetworkManager* | wpa_supplicant* | display-manager*) ;;
      *) systemctl restart "$service" </dev/null >>log 2>&1 || echo "$service" >>not-restarted ;;
    esac
  done
  [ -z "$ssh" ] || systemctl restart "$ssh" </dev/null >>log 2>&1 || echo "$ssh" >>not-restarted
fi
end 0
`;

/** Given the job's name, begin it unless it was begun before, apart from the session: as a unit of systemd, or a session of its own. */
export const START_SCRIPT = `
write_job() {
  cat <<'END_OF_JOB'
${JOB}
END_OF_JOB
}
main() {
${BEGINNING}
  mkdir -p "\${D%/*}" || return 1
  if [ ! -d "$D" ]; then
    N="$D.$$"
    if ! { mkdir -m 700 "$N" && boot_id >"$N/boot" && write_job >"$N/job"; }; then
      rm -rf "$N"; echo "its job cannot be written to $D" >&2; return 1
    fi
    # One of two who try has it; whoever finds it finds it whole.
    if mv -T "$N" "$D" 2>/dev/null; then
      case "$(systemctl is-system-running 2>/dev/null </dev/null)" in
        running | degraded | starting | maintenance)
          $S systemd-run --quiet --collect --unit="lcops-$1" sh "$D/job" </dev/null >/dev/null 2>>"$D/log" ||
            { tail -1 "$D/log" >&2; rm -rf "$D"; return 1; } ;;
        *) $S setsid sh "$D/job" </dev/null >/dev/null 2>&1 & ;;
      esac
    else rm -rf "$N"; fi
  fi
  say begun "$(cat "$D/boot")"
}
main "$@"
`;

/** Given the job's name, wait for its end, twenty seconds at the most, and say how it stands. */
export const FOLLOW_SCRIPT = `
main() {
${BEGINNING}
  [ -d "$D" ] || { say state absent; say end follow; return 0; }
  turn=0
  while [ ! -e "$D/exit" ] && [ $turn -lt 40 ]; do turn=$((turn + 1)); sleep 0.5; done
  say boot "$(boot_id)"
  say begunIn "$(cat "$D/boot")"
  say system "$(systemctl is-system-running 2>/dev/null </dev/null)"
  if [ -e "$D/exit" ]; then
    say state ended
    say exit "$(cat "$D/exit")"
    while read -r unit; do say notRestarted "$unit"; done 2>/dev/null <"$D/not-restarted"
    case "$(sed -n 's/^NEEDRESTART-KSTA: *//p' "$D/needrestart" 2>/dev/null)" in 2 | 3) say reboot wanted ;; esac
    if cat /run/reboot-required >/dev/null 2>&1; then say reboot wanted; fi
    say last "$($S tail -n 1 "$D/log" 2>/dev/null)"
    [ -z "$($S dpkg --audit 2>&1 </dev/null)" ] || say audit interrupted
    systemctl list-units --state=failed --no-legend --plain 2>/dev/null </dev/null | while read -r unit rest; do say failedUnit "$unit"; done
  elif [ -s "$D/pid" ] && ! $S kill -0 "$(cat "$D/pid")" 2>/dev/null && [ ! -e "$D/exit" ]; then
    say state lost
    say last "$($S tail -n 1 "$D/log" 2>/dev/null)"
  # Whoever was to begin it has died over it; without its text it cannot begin behind our back.
  elif [ ! -s "$D/pid" ] && $S rm -f "$D/job" && sleep 1 && [ ! -s "$D/pid" ]; then
    say state unbegun
  else
    say state running
    say last "$($S tail -n 1 "$D/log" 2>/dev/null)"
  fi
  say end follow
}
main "$@"
`;

/** Given the job's name, reboot the host once, a second after this is answered. */
export const REBOOT_SCRIPT = `
main() {
${BEGINNING}
  mkdir "$D/rebooting" 2>/dev/null || { say reboot asked; return 0; }
  $S setsid sh -c 'sleep 1; exec reboot' </dev/null >/dev/null 2>&1 &
  say reboot asked
}
main "$@"
`;
