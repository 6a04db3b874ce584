select E'\xff';
