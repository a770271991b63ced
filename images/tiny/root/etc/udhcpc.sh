#!/bin/sh
# What udhcpc calls with the lease in its environment.
case $1 in bound | renew) ;; *) exit 0 ;; esac
ip addr flush dev "$interface" 2>/dev/null
ip addr add "$ip/${mask:-24}" dev "$interface"
[ -n "$mtu" ] && ip link set "$interface" mtu "$mtu"
for gateway in $router; do
  ip route add default via "$gateway" dev "$interface" && break
done
{
  [ -n "$search$domain" ] && echo "search ${search:-$domain}"
  for server in $dns; do echo "nameserver $server"; done
} >/etc/resolv.conf
[ -n "$hostname" ] && hostname "$hostname"
read -r uptime _ </proc/uptime
echo "wherry-tiny: $interface has $ip after $uptime s" >/dev/console
