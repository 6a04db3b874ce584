with c as (select 1) merge into t x using u on x.a = u.a when matched then update set b = u.a, d = default when not matched then insert (a, b) values (u.a, default);
merge into t using (select 1) s on true when matched then delete when not matched then insert values (1);
merge into t using u on t.a = u.a remove duplicates;
