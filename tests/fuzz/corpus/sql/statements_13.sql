show all;
show time zone;
show transaction isolation level;
show table s.t;
reset all;
reset search_path;
explain select 1;
explain analyze verbose select 1
