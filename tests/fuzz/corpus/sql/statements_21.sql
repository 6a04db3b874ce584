select E'a\b\f\n\r\t\\\'it''s', e'\x41\x4\101\7', E'\u00e9\u20AC\U0001F600\u0041';
select N'national', $$dollar $ body$$, $tag$ with $$ inside $tag$, "a ""quoted"" name", "Größe";
select a <= b, a >= b, a @- b, a <-1, a *-- comment
b, a #>> b, a ~/* comment */ b;
select a and b and c and d and e, a or b or c or d or e, a and (b and c) and d;
