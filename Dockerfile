ARG NODE_IMAGE=node:24-trixie-slim
ARG RESTIC_IMAGE=restic/restic:0.19.1
ARG DEBIAN_IMAGE=debian:trixie-slim

FROM ${RESTIC_IMAGE} AS restic

# Its packages bring Perl: the programs alone are taken
FROM ${DEBIAN_IMAGE} AS postgresql
RUN apt-get update \
	&& apt-get install --yes --no-install-recommends postgresql-client \
	&& mkdir /programs \
	&& cp /usr/lib/postgresql/*/bin/pg_dump /usr/lib/postgresql/*/bin/pg_dumpall /usr/lib/postgresql/*/bin/pg_restore /usr/lib/postgresql/*/bin/psql /programs/

# Of these, too: the other plugins give a server the password as it is, or ask a person
FROM ${DEBIAN_IMAGE} AS mariadb
RUN apt-get update \
	&& apt-get install --yes --no-install-recommends libmariadb3 mariadb-client \
	&& mkdir -p /programs /plugins \
	&& cp /usr/bin/mariadb /usr/bin/mariadb-dump /programs/ \
	&& cd /usr/lib/*/libmariadb3/plugin && cp caching_sha2_password.so client_ed25519.so parsec.so sha256_password.so /plugins/

FROM ${NODE_IMAGE} AS build
WORKDIR /opt/holdfast
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund
# .dockerignore lets only the program in
COPY . ./
RUN node image/bundle.mjs /bundle

# A young generation of 1 MB: with V8's own choice the agent and its bot had 314 MiB after 2,000 Slack commands, with 2 MB 204, and an agent at rest
# has 5 MB less with 1 than with 2. One arena for malloc: more of them hold what is free, 4 MB at the start. Of V8's compilers only
# the first: 7 MB of Node's program for an agent that computes next to nothing.
# Debian alone, not the Node image: npm and its dependencies are nothing that runs beside the Docker socket
FROM ${DEBIAN_IMAGE}
RUN apt-get update \
	&& apt-get install --yes --no-install-recommends btrfs-progs busybox-static ca-certificates libedit2 libncurses6 libpq5 libreadline8t64 libstdc++6 openssh-client rclone tini \
	&& rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/log/apt /var/log/dpkg.log \
	&& mkdir -p /opt/holdfast/lent/bin \
	&& mv "$(command -v busybox)" /opt/holdfast/lent/bin/busybox \
	&& for program in sh sleep mkdir cat tail df; do ln -s busybox /opt/holdfast/lent/bin/$program; done \
	&& mkdir -m 700 /state /cache /repository \
	&& mkfifo -m 600 /opt/holdfast/lifeline \
	&& printf '#!/bin/sh\nexport MALLOC_ARENA_MAX=1\nexec node --disable-warning=ExperimentalWarning --max-semi-space-size=1 --no-opt --no-maglev --expose-gc /opt/holdfast/agent/main.js "$@"\n' > /usr/local/bin/holdfast \
	&& chmod 755 /usr/local/bin/holdfast
COPY --from=restic /usr/bin/restic /usr/local/bin/restic
COPY --from=postgresql /programs/ /usr/local/bin/
COPY --from=mariadb /programs/ /usr/local/bin/
COPY --from=mariadb /plugins/ /usr/local/lib/mariadb/
COPY --from=build /usr/local/bin/node /usr/local/bin/node
RUN node --version && restic version && rclone version && tini --version && pg_dumpall --version && pg_restore --version && psql --version && mariadb --version && mariadb-dump --version
# XDG_CACHE_HOME: so that a person's own `restic` in this container finds a place that it may write to
ENV NODE_ENV=production XDG_CACHE_HOME=/cache
WORKDIR /opt/holdfast

# Without -g: the agent, which knows what must be put back first, ends its own children. When it is killed, tini exits, and the kernel ends
# every other process of the container.
ENTRYPOINT ["/usr/bin/tini", "--", "holdfast"]
CMD ["agent"]
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s --retries=3 CMD ["holdfast", "healthcheck"]
EXPOSE 9797

ARG HOLDFAST_VERSION=dev
LABEL org.opencontainers.image.title="Holdfast" \
	org.opencontainers.image.description="Backs up and restores Docker Compose stacks" \
	org.opencontainers.image.licenses="MIT" \
	org.opencontainers.image.version="${HOLDFAST_VERSION}"
COPY --from=build /bundle /opt/holdfast

# glibc keeps what a program has used for what may come, and more of it the larger a buffer was that is gone: after a few backups that was a tenth of an
# agent. These keep it from learning to.
ENV MALLOC_MMAP_THRESHOLD_=131072 MALLOC_TRIM_THRESHOLD_=131072

# Compiled once, here: every command, health check and program of a worker starts in half the time, and the agent holds less. The programs are told
# nothing, and some say that this is not enough.
ENV NODE_COMPILE_CACHE=/opt/holdfast/.compiled
RUN holdfast version \
	&& for program in agent/daemon.js bot/bot.js; do \
		node --disable-warning=ExperimentalWarning --max-semi-space-size=1 --no-opt --no-maglev --expose-gc --input-type=module --eval "await import('/opt/holdfast/$program')"; \
	done \
	&& for program in /opt/holdfast/agent/sources/*/*.program.js; do \
		node --disable-warning=ExperimentalWarning "$program" < /dev/null > /dev/null 2>&1 || true; \
	done
