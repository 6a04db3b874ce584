select "";
