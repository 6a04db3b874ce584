select 'joined '
  'over '
'three lines', N'a'
'b';
