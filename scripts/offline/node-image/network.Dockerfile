# kube-proxy and the pod network: the control plane's binary with the tools that program the packet filter.
ARG ROOTFS
ARG KUBERNETES
FROM $ROOTFS AS system
COPY collect-net-tools.sh /
RUN bash /collect-net-tools.sh /collected
FROM $KUBERNETES AS kube-proxy
COPY --from=system /collected /
FROM kube-proxy AS kindnetd
ENTRYPOINT ["/usr/local/bin/kindnetd"]
