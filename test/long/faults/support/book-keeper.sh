#!/bin/sh
# User-data of a guest that keeps a book. Record N is sector N of the first disk: a line with its checksum. It counts as
# flushed once the disk has said so, and only then it is told of, over any number of streams: /cgi-bin/book.
read -r boot </proc/sys/kernel/random/boot_id
record=$(tr -d '\0' </dev/vda | sed -n '$s/^record \([0-9]*\) .*/\1/p')
record=${record:-0}
mkdir -p /run/book
echo "$record" >/run/book/flushed

# A line each time: the boot, a number that counts from 1, the last record that is flushed.
cat >/var/www/cgi-bin/book <<'END'
#!/bin/sh
printf 'Content-Type: text/plain\r\n\r\n'
read -r boot </proc/sys/kernel/random/boot_id
tick=0
while :; do
  # The file may just be written.
  read -r now </run/book/flushed && flushed=$now
  tick=$((tick + 1))
  echo "$boot $tick ${flushed:-0}" || exit
  usleep 200000
done
END
chmod +x /var/www/cgi-bin/book

while :; do
  line="record $((record + 1)) $boot"
  set -- $(echo "$line" | md5sum)
  if echo "$line $1" | dd of=/dev/vda bs=512 seek=$((record + 1)) conv=sync,fsync,notrunc 2>/dev/null; then
    record=$((record + 1))
    echo "$record" >/run/book/flushed
    [ $((record % 50)) = 0 ] && echo "book: $record records are flushed"
  fi
  usleep 200000
done &
