# The image of one node.
#
# It builds on the official Python image, or, where no registry can be reached,
# on the one that `make base-image` makes from Debian packages:
#
#   docker build --build-arg BASE_IMAGE=paxos-lab/base:bookworm -t paxos-lab/node:latest .
#
# The default target, `node`, holds no broken variant.  The target `unsafe` adds
# them and is never what `make up` starts.
#
# Neither `# syntax=` nor `RUN --mount` stands here: both need a registry or
# buildx, and this file must build on the legacy builder, too.
ARG BASE_IMAGE=python:3.11-slim-bookworm

# Each stage is labelled, because the legacy builder leaves the earlier ones
# behind and `make clean` removes what carries the label.
FROM ${BASE_IMAGE} AS packages
LABEL lab.paxos=1
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
COPY wheelhouse/ /wheelhouse/
COPY node/requirements.txt /wheelhouse/requirements.txt
# With wheels in the wheelhouse the network is not asked at all.  The hashes of
# the lock are checked either way.
RUN set -eu; \
    offline=; \
    if ls /wheelhouse/*.whl >/dev/null 2>&1; then \
        offline="--no-index --find-links /wheelhouse"; \
    fi; \
    python -m pip install $offline --require-hashes --prefix /packages \
        --requirement /wheelhouse/requirements.txt

# The code, with its variants taken out of the library, and compiled here
# because a node's own root is read-only.
FROM ${BASE_IMAGE} AS code
LABEL lab.paxos=1
COPY paxos/ /code/paxos/
COPY node/ /code/node/
RUN set -eu; \
    python -m compileall -q /code; \
    mkdir -p /variants; \
    if [ -d /code/paxos/variants ]; then mv /code/paxos/variants /variants/; fi

FROM ${BASE_IMAGE} AS base
LABEL lab.paxos=1
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=/app
# The mount points belong to the node's user, because a volume takes its owner
# from the place where it is first mounted: /state for a node, /states/nX for
# the service that makes all state directories together.  /run/paxos is there
# because runc gives a tmpfs the mode of the folder under it, which would be
# 0755 and root's from the second start on.
RUN set -eu; \
    mkdir -p /run/paxos; chmod 1777 /run/paxos; \
    echo 'paxos:x:10001:' >> /etc/group; \
    echo 'paxos:x:10001:10001:Paxos node:/nonexistent:/usr/sbin/nologin' >> /etc/passwd; \
    for place in /state /states/n1 /states/n2 /states/n3 /states/n4 /states/n5 \
                 /states/n6 /states/n7 /states/n8 /states/n9; do \
        mkdir -p "$place"; chown paxos:paxos "$place"; chmod 0755 "$place"; \
    done
COPY --from=packages /packages/ /usr/local/
COPY --from=code /code/ /app/
WORKDIR /app
# The standard library comes without compiled modules, in either base image, and
# the root is read-only when a node runs: it would compile a hundred of them at
# each start.  This keeps those that a node needs.
RUN PYTHONDONTWRITEBYTECODE= python -c 'import node.serve, node.__main__'
USER 10001:10001
ENTRYPOINT ["python", "-m", "node"]
CMD ["serve"]

FROM base AS unsafe
LABEL lab.paxos.unsafe=1
COPY --from=code /variants/ /app/paxos/

# Last, and so the default.
FROM base AS node
