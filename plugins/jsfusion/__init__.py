"""JSFusion (Yu, Kim & Kim, ECCV 2018): joint sequence fusion for retrieval, multiple choice and blanks."""
