#!/usr/bin/env bash
# An engine that speaks just enough QMP: fake-engine.sh <control descriptor> <serial descriptor> [mode] [argument]
qmp=$1 serial=$2 mode=${3:-} argument=${4:-}

say() { printf '%s\r\n' "$1" >&"$qmp"; }
event() { say "{\"timestamp\": {\"seconds\": 1, \"microseconds\": 0}, \"event\": \"$1\", \"data\": $2}"; }
answer() { say "{\"return\": $1, \"id\": $id}"; }

case $mode in
  broken) echo 'no such device' >&2; exit 1 ;;
  mute) exec sleep 1000 ;;
  babbling) exec yes 'no greeting, and no end' >&"$qmp" ;;
  descriptor) printf 'from the engine' >&"$argument" ;;
esac

say '{"QMP": {"version": {}, "capabilities": ["oob"]}}'
while read -r line <&"$qmp"; do
  [[ $line =~ \"execute\":\"([a-z_-]+)\" ]] && command=${BASH_REMATCH[1]}
  [[ $line =~ \"id\":([0-9]+) ]] && id=${BASH_REMATCH[1]}
  case $command in
    cont)
      if [[ $mode == refusing ]]; then
        say "{\"error\": {\"class\": \"GenericError\", \"desc\": \"no bootable disk\"}, \"id\": $id}"
        continue
      fi
      event RESUME '{}'
      answer '{}'
      printf 'the guest boots\r\n' >&"$serial"
      ;;
    set_link)
      answer '{}'
      printf 'link down\r\n' >&"$serial"
      ;;
    system_powerdown)
      answer '{}'
      [[ $mode == deaf ]] && continue
      event SHUTDOWN '{"guest": true, "reason": "guest-shutdown"}'
      exit 0
      ;;
    x-power-off)
      answer '{}'
      event SHUTDOWN '{"guest": true, "reason": "guest-shutdown"}'
      exit 0
      ;;
    x-reboot)
      answer '{}'
      event SHUTDOWN '{"guest": true, "reason": "guest-reset"}'
      exit 0
      ;;
    x-watchdog)
      event WATCHDOG '{"action": "poweroff"}'
      exit 0
      ;;
    x-panic)
      printf '[    1.0] Kernel panic - not syncing: sysrq triggered crash\r\n[    1.1] CPU: 0\r\n' >&"$serial"
      event GUEST_PANICKED '{"action": "poweroff"}'
      event SHUTDOWN '{"guest": true, "reason": "guest-panic"}'
      exit 1
      ;;
    x-crash)
      echo 'assertion failed' >&2
      kill -ABRT $$
      ;;
    x-echo)
      read -r typed <&"$serial"
      printf 'you typed %s\r\n' "$typed" >&"$serial"
      answer '{}'
      ;;
    x-chatter)
      head -c 1000000 /dev/zero | tr '\0' 'x' >&"$serial"
      answer '{}'
      ;;
    x-large) answer "\"$(head -c 1100000 /dev/zero | tr '\0' 'x')\"" ;;
    x-orphans)
      for _ in 1 2 3; do (sleep 0.05 &) ; done
      answer '{}'
      ;;
    x-refused) say "{\"error\": {\"class\": \"GenericError\", \"desc\": \"no such link\"}, \"id\": $id}" ;;
    x-silent) : ;;
    # From here on what no engine does that is not its guest's.
    x-flood) yes '{"event": "FLOOD", "data": {}}' >&"$qmp" & ;;
    x-shout) yes 'a shout without end' >&"$serial" & ;;
    x-complain) yes 'a complaint without end' >&2 & ;;
    x-garbage)
      head -c 3000000 /dev/urandom >&"$qmp"
      say ''
      answer '{}'
      ;;
    x-endless)
      printf '{"return": [' >&"$qmp"
      head -c 5000000 /dev/zero | tr '\0' '1' >&"$qmp"
      say ''
      ;;
    x-deep) answer "$(head -c 400000 /dev/zero | tr '\0' '[')$(head -c 400000 /dev/zero | tr '\0' ']')" ;;
    x-wrong-ids)
      for wrong in 99999 -1 1.5 null '"1"' "[$id]" 18446744073709551616; do say "{\"return\": 1, \"id\": $wrong}"; done
      answer 2
      answer 3
      say '{"return": 4}'
      ;;
    x-hang) exec sleep 1000 ;;
    x-hang-up)
      exec {qmp}>&-
      exec sleep 1000
      ;;
    *) answer '{"running": true}' ;;
  esac
done
