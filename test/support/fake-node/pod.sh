#!/bin/sh
# A VM pod's container without a kubelet: runs as PID 1 of its own PID and mount namespaces and becomes the launcher.
# Arguments: the folder of the pod's mounts, the root of the QEMU closure, the launcher, the native engine.
set -eu
pod=$1 closure=$2 launcher=$3 vmm=$4
root=$pod/root
mount --make-rprivate /
mount -t tmpfs -o mode=755 none "$root"
cd "$root"
mkdir -p usr proc dev etc tmp run/wherry run/wherry-kernel run/wherry-volumes var/lib/wherry
# Folder by folder, and the programs one by one, for the native engine is none of the closure's.
for folder in "$closure"/usr/*; do
  name=${folder##*/}
  mkdir "usr/$name"
  [ "$name" = bin ] || mount --bind "$folder" "usr/$name"
done
for program in "$closure"/usr/bin/* "$vmm"; do
  : >"usr/bin/${program##*/}"
  mount --bind "$program" "usr/bin/${program##*/}"
done
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
