#!/bin/bash
# Installs the Debian guest into the archive $1. Its own settings are the files in `root/` beside this script: they are
# there before the packages, none of which brings a file of the same name.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
packages=(
  linux-image-cloud-amd64 initramfs-tools zstd           # boot; the cloud kernel has drivers for virtual machines only
  systemd systemd-sysv udev dbus systemd-resolved        # the system, and the name server that DHCP tells of
  cloud-init e2fsprogs cloud-guest-utils                 # first boot; without the tools it cannot grow a disk and fails
  openssh-server qemu-guest-agent sudo                   # ways in
  iproute2 iputils-ping procps kmod less ca-certificates # what one looks for once there
)
# Nobody reads the kernel's log of a guest that is deleted tomorrow, nor wants it to update itself at its first boot.
masked=(
  apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer
  systemd-pstore.service systemd-machine-id-commit.service systemd-networkd-wait-online.service systemd-binfmt.service
)
# The marks in etc and var say that nothing is left to do after an update: a first boot would do it all again.
exec mmdebstrap --variant=minbase --include="$(IFS=,; echo "${packages[*]}")" \
  --aptopt='APT::Install-Recommends "false"' \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' \
  --dpkgopt=force-unsafe-io \
  --essential-hook="copy-in $here/root/etc $here/root/usr /" \
  --customize-hook="chroot \"\$1\" systemctl mask -q ${masked[*]}" \
  --customize-hook='chroot "$1" systemctl enable -q serial-getty@ttyS0.service systemd-networkd.service' \
  --customize-hook='rm -f "$1"/etc/ssh/ssh_host_* "$1"/var/lib/dbus/machine-id; : >"$1/etc/machine-id"' \
  --customize-hook='touch "$1/etc/.updated" "$1/var/.updated"' \
  --customize-hook='ln -sf ../run/systemd/resolve/stub-resolv.conf "$1/etc/resolv.conf"' \
  trixie "$1"
