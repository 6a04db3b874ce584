set extra_float_digits = 3;
set session characteristics as transaction isolation level read committed;
set transaction read only;
set time zone local;
set names 'utf8';
set session authorization default;
set a.b to -1.5;
show search_path
