#!/bin/bash
# Runs once, when a region's database is made: what an administrator does for Meridian. The role is no superuser; it may
# make the role that applies, and let that one switch users' triggers off in its own sessions (PostgreSQL 15 and later).
psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres -v password="$APP_PASSWORD" <<'SQL'
CREATE ROLE app LOGIN CREATEROLE PASSWORD :'password';
GRANT SET ON PARAMETER session_replication_role TO app WITH GRANT OPTION;
CREATE DATABASE app OWNER app;
SQL
