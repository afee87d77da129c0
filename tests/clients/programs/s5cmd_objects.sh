# s5cmd, which copies many objects at once. Argument: a bucket.
bucket=$1
export S3_ENDPOINT_URL=${AWS_ENDPOINT_URL:-}

mkdir -p data/deep
head -c 60000000 /dev/urandom >data/large.bin
for number in $(seq 200); do echo "$number" >"data/deep/$number.txt"; done
s5cmd cp data/ "s3://$bucket/data/"
test "$(s5cmd ls "s3://$bucket/data/*" | wc -l)" = 201
s5cmd cp "s3://$bucket/data/*" back/
diff --recursive data back
s5cmd sync data/ "s3://$bucket/data/" >synced
test ! -s synced
s5cmd cp "s3://$bucket/data/large.bin" "s3://$bucket/copy.bin"
s5cmd cat "s3://$bucket/copy.bin" | cmp - data/large.bin
s5cmd mv "s3://$bucket/data/deep/*" "s3://$bucket/moved/"
s5cmd du "s3://$bucket/moved/*" | grep -F '200 objects'
s5cmd rm "s3://$bucket/*"
! s5cmd ls "s3://$bucket/*"
