declare c no scroll cursor with hold for select 1;
fetch 10 from c;
fetch forward all in c;
fetch next c;
fetch c;
close c;
close all;
discard all
