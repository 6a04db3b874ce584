select E'bad \u12';
