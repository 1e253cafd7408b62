# One image for every process: web, the workers, beat, and the commands that prepare the database.
# docker-compose.yml says which runs what.

FROM node:24-slim AS pages
WORKDIR /pages
COPY .npmrc package.json package-lock.json ./
RUN npm ci --omit=dev


FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/venv
COPY requirements/base.txt requirements/
RUN /opt/venv/bin/pip install --quiet --require-hashes -r requirements/base.txt
WORKDIR /opt/helpdesk
COPY . .
COPY --from=pages /pages/node_modules node_modules
# The settings are read, nothing is connected to: these values end with this line.
RUN /opt/venv/bin/python -m helpdesk.translations \
    && HELPDESK_ENV=production HELPDESK_BASE_URL=http://localhost HELPDESK_MAIL_DOMAIN=build.invalid \
        SECRET_KEY="$(/opt/venv/bin/python -c 'import secrets; print(secrets.token_urlsafe(50))')" \
        DATABASE_URL=postgres://build/build REDIS_URL=redis://build \
        /opt/venv/bin/python manage.py collectstatic --no-input --verbosity 0 \
    && /opt/venv/bin/python -m compileall -q . \
    && rm -rf node_modules requirements package.json package-lock.json .npmrc


# pg_dump, pg_restore and psql of the server's own version, for backup and restore; Debian's is older.
FROM postgres:18-bookworm AS postgresql
RUN mkdir -p /client/bin /client/lib \
    && cd /usr/lib/postgresql/18/bin \
    && cp pg_dump pg_restore psql /client/bin/ \
    && ldd pg_dump pg_restore psql | awk '$3 ~ "^/" { print $3 }' | sort -u | xargs cp -L -t /client/lib


FROM python:3.11-slim-bookworm AS helpdesk
RUN useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin helpdesk \
    && install --directory --owner=helpdesk --group=helpdesk --mode=0750 /data
COPY --from=postgresql /client /usr/lib/postgresql/18
# Last among the folders, so that what this image has itself is preferred.
RUN echo /usr/lib/postgresql/18/lib > /etc/ld.so.conf.d/zz-postgresql.conf && ldconfig \
    && for program in pg_dump pg_restore psql; do /usr/lib/postgresql/18/bin/$program --version; done
# Owned by root, so that no process can change what it runs.
COPY --from=build /opt/venv /opt/venv
COPY --from=build /opt/helpdesk /opt/helpdesk
WORKDIR /opt/helpdesk
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HELPDESK_ENV=production \
    HELPDESK_DATA_DIR=/data
USER helpdesk
VOLUME /data
EXPOSE 8000
# That the process answers: no restart of it mends a database. The workers have checks of their own in
# docker-compose.yml.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["gunicorn", "-c", "python:helpdesk.webserver", "helpdesk.wsgi", "--bind", "0.0.0.0:8000"]
