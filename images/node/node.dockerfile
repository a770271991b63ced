# A program on Node.js, without a shell or a package manager: the root holds node and the libraries that it loads.
# BASE is scratch, or an official image of the same Debian release, which brings what else belongs to a C library.
ARG BASE=scratch
FROM $BASE
ADD root.tar /
COPY files /
ENV PATH=/usr/bin:/usr/sbin WHERRY_NATIVE_LIB=/usr/lib/wherry/libwherry.so
ARG USER=65532
USER $USER
ENTRYPOINT ["/usr/bin/node", "/app/main.js"]
