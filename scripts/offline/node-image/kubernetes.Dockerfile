# The control plane: one binary, called by the component's name.
FROM scratch
COPY root /
ENV PATH=/usr/local/bin:/usr/bin:/usr/sbin:/bin:/sbin
