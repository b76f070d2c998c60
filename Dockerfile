# syntax=docker/dockerfile:1

# Stage 1: production dependencies only. No install script runs.
FROM node:24.21.0-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts

# Stage 2: what runs.
FROM node:24.21.0-bookworm-slim
LABEL org.opencontainers.image.title="Security Copilot Connector" \
      org.opencontainers.image.description="The Security Copilot connector's three actions over Microsoft Graph beta" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="0.1.0"
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json LICENSE ./
COPY src ./src
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8080
EXPOSE 8080
USER 10001:10001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=2s --start-period=5s --retries=3 CMD ["node", "src/healthcheck.ts"]
# Node itself is process 1: it hears SIGTERM without a shell between.
CMD ["node", "src/server.ts"]
