# What runs in a VM pod: the launcher, the native engine, and QEMU with the libraries that it loads. No shell, no package, nothing to write to.
FROM scratch
COPY root/ /
# Where the pod's volumes are mounted.
WORKDIR /run/wherry
WORKDIR /run/wherry-volumes
WORKDIR /run/wherry-kernel
WORKDIR /var/lib/wherry
WORKDIR /
ENV PATH=/usr/bin
USER 107:107
ENTRYPOINT ["/usr/bin/wherry-launcher"]
