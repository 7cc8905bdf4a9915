# Debian, not Alpine: the native part of Temporal's SDK needs glibc.
#   docker build --target orchestrator --tag holdfast-orchestrator:0.1.0 .
#   docker build --target worker --tag holdfast-worker:0.1.0 .
ARG NODE_IMAGE=node:24.21.0-trixie-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /opt/holdfast
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN npm run build
RUN npm prune --omit=dev && rm -rf dist/test dist/lab dist/.tsbuildinfo
# The SDK brings its native part for five platforms (148 MB); one is needed.
RUN keep="$(node -p 'process.arch === "arm64" ? "aarch64" : "x86_64"')-unknown-linux-gnu" \
 && find node_modules/@temporalio/core-bridge/releases -mindepth 1 -maxdepth 1 ! -name "$keep" -exec rm -rf {} + \
 && test -d "node_modules/@temporalio/core-bridge/releases/$keep"

FROM ${NODE_IMAGE} AS base
ENV NODE_ENV=production HOLDFAST_CONFIG=/etc/holdfast/holdfast.yaml HOLDFAST_STATE=/var/lib/holdfast
WORKDIR /opt/holdfast
COPY --from=build /opt/holdfast/package.json ./
COPY --from=build /opt/holdfast/bin bin
COPY --from=build /opt/holdfast/config/examples config/examples
COPY --from=build /opt/holdfast/config/holdfast.schema.json config/
COPY --from=build /opt/holdfast/node_modules node_modules
COPY --from=build /opt/holdfast/dist dist
RUN ln -s /opt/holdfast/bin/holdfast.js /usr/local/bin/holdfast
ENTRYPOINT ["holdfast"]
# Asks the running tools to end and ends within 60 s; give it 90 (docker stop --time 90).
STOPSIGNAL SIGTERM

# Steps on a host. It runs as root: it has to read every file that is backed up, whoever owns it, and a restore gives files back
# to their owners. Give it the folders of holdfast.yaml under the same paths, read-only where nothing is restored to, and the name of its host
# as --hostname.
FROM base AS worker
# No versions: Debian stable keeps one of each, and an exact one would be gone with the next security update.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends attr ca-certificates fuse3 openssh-client restic tar util-linux \
 && rm -rf /var/lib/apt/lists/*
VOLUME /var/lib/holdfast
# One arena for all threads: ten megabytes less.
ENV HOME=/root XDG_CACHE_HOME=/var/lib/holdfast/cache MALLOC_ARENA_MAX=1
USER root
HEALTHCHECK --interval=60s --timeout=20s --start-period=60s CMD ["node", "/opt/holdfast/dist/workers/health.js", "worker"]
CMD ["worker"]

# Workflows only: no tools, no keys, no rights. Last, so that it is what a build without --target makes.
FROM base AS orchestrator
USER node
HEALTHCHECK --interval=60s --timeout=20s --start-period=60s CMD ["node", "/opt/holdfast/dist/workers/health.js", "orchestrator"]
CMD ["orchestrator"]
