# A kernel and its initial file system, for `firmware.kernelBoot`.
FROM scratch
COPY boot/ /boot/
