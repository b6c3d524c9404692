# syntax=docker/dockerfile:1
# escape=`
ARG TAG=1
FROM node:${TAG:-24} AS base
RUN --mount=type=cache,target=/x <<END
echo "$A"
END
FROM --platform=linux/amd64 base
COPY --from=base ["a", "b"]
RUN apt-get update && `
  # comment
  apt-get install -y x
HEALTHCHECK --interval=1s CMD ["x"]
CMD ["node", "."]
