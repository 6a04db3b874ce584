copy t from stdin csv removequotes;
copy t to stdout csv quote 'xx';
copy t to stdout csv force_quote (a)
