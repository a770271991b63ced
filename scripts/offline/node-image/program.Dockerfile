# One static program.
FROM scratch
COPY root /
ENV PATH=/usr/local/bin:/bin
ENTRYPOINT ["/usr/local/bin/program"]
