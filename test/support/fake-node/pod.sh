#!/bin/sh
# A VM pod's container without a kubelet: runs as PID 1 of its own PID and mount namespaces and becomes the launcher.
# Arguments: the folder of the pod's mounts, the root of the QEMU closure, the launcher.
set -eu
pod=$1 closure=$2 launcher=$3
root=$pod/root
mount --make-rprivate /
mount -t tmpfs -o mode=755 none "$root"
cd "$root"
mkdir -p usr proc dev etc tmp run/wherry run/wherry-kernel run/wherry-volumes var/lib/wherry
mount --bind "$closure/usr" usr
mount -o remount,bind,ro usr
for name in bin lib lib64 sbin; do ln -s usr/$name $name; done
mount -t proc proc proc
for device in null zero full random urandom; do
  : >dev/$device
  mount --bind /dev/$device dev/$device
done
install -m 666 /dev/null dev/termination-log
mount --bind "$pod/sockets" run/wherry
mount --bind "$pod/private" var/lib/wherry
mount --bind "$pod/kernel" run/wherry-kernel
mount --bind "$pod/volumes" run/wherry-volumes
echo nameserver 10.96.0.10 >etc/resolv.conf
echo 'wherry:x:107:107::/:/' >etc/passwd
cp "$launcher" launcher
exec chroot --userspec=107:107 --groups=107 "$root" /launcher
