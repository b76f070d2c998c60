# syntax=docker/dockerfile:1

# Stage 1: production dependencies only, no install script runs; and the sources as JavaScript.
FROM node:24.21.0-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts
COPY scripts/build.ts ./scripts/
COPY src ./src
RUN npm run build

# Stage 2: what runs.
FROM node:24.21.0-bookworm-slim
LABEL org.opencontainers.image.title="Security Copilot Connector" \
      org.opencontainers.image.description="The Security Copilot connector's three actions over Microsoft Graph beta" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="0.2.0"
WORKDIR /app
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json LICENSE icon.png ./
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8080
# A heap that stays below a memory limit of 512 MB, and garbage that is collected soon.
ENV NODE_OPTIONS="--max-semi-space-size=4 --max-old-space-size=320"
EXPOSE 8080
USER 10001:10001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=2s --start-period=5s --retries=3 CMD ["node", "dist/healthcheck.js"]
# Node itself is process 1: it hears SIGTERM without a shell between.
CMD ["node", "dist/server.js"]
