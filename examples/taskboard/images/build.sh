#!/usr/bin/env bash
# Makes the base images of this example from Debian packages, for machines that reach no image hub.
#
#   export IMAGE_PREFIX=$(images/build.sh)      then: docker compose up
#   lineclear run --var IMAGE_PREFIX="$(images/build.sh)"
#
# It prints the prefix of their names, such as `taskboard-1a2b3c4d/`; the names behind it are those of the hub (`python:3.11-slim`,
# `postgres:15`), and they are used in the same way, so without a prefix the hub's own images serve.
#
# The prefix carries a hash of this folder: images that are there are not made again, and a change here makes new ones. What was made
# is kept as an archive in $TASKBOARD_CACHE (default: ~/.cache/taskboard), for a machine whose engine forgets.
#
# Needs root, mmdebstrap, docker, npm and zstd, and a mirror of Debian that apt knows. It takes about 40 seconds.
set -euo pipefail

suite=bookworm
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${TASKBOARD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/taskboard}
key=$(cd "$here" && sha256sum -- * | sha256sum | cut -c1-8)
prefix=taskboard-$key/
images=(python:3.11-slim node:18-slim postgres:15 redis:7 nginx:1.22)

say() { echo "images: $*" >&2; }

missing() {
  local image
  for image in "${images[@]}"; do
    docker image inspect "$prefix$image" > /dev/null 2>&1 || return 0
  done
  return 1
}

# One makes them, others wait; whoever comes later finds them.
mkdir -p "$cache"
exec 9> "$cache/lock"
flock 9

if missing && [ -f "$cache/$key.tar.zst" ]; then
  say "loading $cache/$key.tar.zst"
  zstd -dcq "$cache/$key.tar.zst" | docker load --quiet >&2 || say "the archive is damaged: making the images anew"
fi

if ! missing; then
  echo "$prefix"
  exit
fi

for program in mmdebstrap docker npm zstd; do
  if ! command -v "$program" > /dev/null; then
    say "there is no $program: install it, or use the hub's images (leave IMAGE_PREFIX empty)"
    exit 1
  fi
done

# What this machine takes its own packages from: suite and address, a line each. apt fills in the fields, not the shell.
# shellcheck disable=SC2016
targets=$(apt-get indextargets --format '$(ORIGIN) $(COMPONENT) $(SUITE) $(REPO_URI)' 'Created-By: Packages' |
  awk '$1 == "Debian" && $2 == "main" { print $3, $4 }')
mirror=$(awk '$1 !~ /-/ { print $2; exit }' <<< "$targets")
security=$(awk '$1 ~ /-security$/ { print $2; exit }' <<< "$targets")
if [ -z "$mirror" ]; then
  say "apt knows no mirror of Debian"
  exit 1
fi
sources=("deb $mirror $suite main" "deb $mirror $suite-updates main")
if [ -n "$security" ]; then sources+=("deb $security $suite-security main"); fi

# What dpkg writes to a disk it also flushes there, file by file: memory is three times as fast.
scratch=$(mktemp -d "$([ -w /dev/shm ] && echo /dev/shm || echo /tmp)/taskboard-images.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

say "making the base of Debian $suite"
TMPDIR=$scratch mmdebstrap --quiet --mode=root --variant=apt --include=ca-certificates \
  --dpkgopt=force-unsafe-io \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
  --aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Languages "none"' \
  "$suite" "$scratch/base.tar" "${sources[@]}" >&2
docker import --change 'CMD ["bash"]' "$scratch/base.tar" "${prefix}debian:$suite" > /dev/null
rm "$scratch/base.tar"

# build NAME: the Dockerfile comes on standard input, files of this folder are its context.
build() {
  local log="$scratch/${1%%:*}.log"
  say "making $1"
  if ! DOCKER_BUILDKIT=1 docker build --quiet --network=host --tag "$prefix$1" --file - "$context" > "$log" 2>&1; then
    cat "$log" >&2
    return 1
  fi
}

context=$scratch/context
mkdir "$context"
cp "$here/postgres-entrypoint.sh" "$context"
# Debian's npm brings hundreds of packages; npm's own archive is complete.
(cd "$context" && npm pack --silent npm@10 > /dev/null && mv npm-*.tgz npm.tgz)

python() {
  build python:3.11-slim << END
FROM ${prefix}debian:$suite
RUN apt-get update -q && apt-get install -y -q python3 python3-venv python-is-python3 && rm -rf /var/lib/apt/lists/*
CMD ["python"]
END
}

node() {
  build node:18-slim << END
FROM ${prefix}debian:$suite
RUN apt-get update -q && apt-get install -y -q nodejs && rm -rf /var/lib/apt/lists/* && useradd --uid 1000 --create-home node
ADD npm.tgz /usr/local/lib/node_modules/
RUN cd /usr/local/lib/node_modules && mv package npm && chown -R root:root npm \\
 && ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm && ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx \\
 && chmod 755 npm/bin/*.js && npm --version
CMD ["node"]
END
}

postgres() {
  build postgres:15 << END
FROM ${prefix}debian:$suite
RUN mkdir -p /etc/postgresql-common && echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf \\
 && apt-get update -q && apt-get install -y -q postgresql-15 && rm -rf /var/lib/apt/lists/* \\
 && install -d -o postgres -g postgres -m 0755 /run/postgresql && install -d -o postgres -g postgres -m 0700 /var/lib/postgresql/data
COPY postgres-entrypoint.sh /usr/local/bin/docker-entrypoint.sh
ENV PATH=/usr/lib/postgresql/15/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin PGDATA=/var/lib/postgresql/data LANG=C.UTF-8
VOLUME /var/lib/postgresql/data
EXPOSE 5432
STOPSIGNAL SIGINT
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["postgres"]
END
}

redis() {
  build redis:7 << END
FROM ${prefix}debian:$suite
RUN apt-get update -q && apt-get install -y -q redis-server && rm -rf /var/lib/apt/lists/* && install -d -o redis -g redis /data
WORKDIR /data
USER redis
EXPOSE 6379
CMD ["redis-server", "--bind", "0.0.0.0", "--protected-mode", "no"]
END
}

nginx() {
  build nginx:1.22 << END
FROM ${prefix}debian:$suite
RUN apt-get update -q && apt-get install -y -q nginx-light curl && rm -rf /var/lib/apt/lists/*
EXPOSE 80
STOPSIGNAL SIGQUIT
CMD ["nginx", "-g", "daemon off;"]
END
}

# Two at a time: unpacking packages keeps one core busy.
(python && redis && nginx) &
first=$!
(postgres && node)
wait "$first"

say "keeping them in $cache"
names=("${images[@]/#/$prefix}")
docker save "${names[@]}" "${prefix}debian:$suite" | zstd -q -3 -T0 -f -o "$cache/$key.tar.zst.new"
find "$cache" -maxdepth 1 -name '*.tar.zst' -delete
mv "$cache/$key.tar.zst.new" "$cache/$key.tar.zst"
echo "$prefix"
