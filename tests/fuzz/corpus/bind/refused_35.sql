show table nosuch;
copy t from 's3://bucket/x' iam_role 'arn';
copy t from '/x' parquet;
copy t from '/x' bzip2;
copy t from '/x' json 'auto';
copy t from '/x' manifest;
copy t from stdin with (format foo);
copy t from stdin encoding 'latin1'
