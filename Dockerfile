FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=""
RUN CGO_ENABLED=0 go build -trimpath \
      -ldflags "-s -w -X nextcloud-mcp-server/internal/version.release=${VERSION}" \
      -o /out/nextcloud-mcp-server ./cmd/nextcloud-mcp-server \
 && install -d -m 0700 /out/data

# Certificates, time zones, /tmp and the user 65532; no shell.
FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /out/nextcloud-mcp-server /usr/local/bin/nextcloud-mcp-server
COPY LICENSE /usr/share/doc/nextcloud-mcp-server/LICENSE
# A new named volume takes over the owner of this directory.
COPY --from=build --chown=65532:65532 /out/data /app/data
WORKDIR /app
USER 65532:65532
VOLUME /app/data
# Beside the flag below, so that a command without --host listens outside the
# container too.
ENV MCP_HOST=0.0.0.0
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["/usr/local/bin/nextcloud-mcp-server", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/nextcloud-mcp-server"]
CMD ["--oauth", "--host", "0.0.0.0", "--transport", "streamable-http"]
