drop table if exists nosuch, t, other.w cascade;
drop table nosuch; drop schema other; drop schema nosuch; drop user if exists x;
truncate t; truncate table other.w, v;
create schema new; create schema if not exists other; create schema pg_x; create schema other; create schema authorization me;
show table t; show table other.w; show view v; vacuum t; analyze; create user x password 'y'
