alter schema s rename to r;
alter view v rename to w
