# A containerDisk: its one file is the disk.
FROM scratch
COPY disk/ /disk/
