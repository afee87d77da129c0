# s3cmd. Argument: a bucket.
bucket=$1
address=${AWS_ENDPOINT_URL#http://}
s3() { s3cmd --no-ssl --host="$address" --host-bucket="$address" "$@"; }

mkdir -p data/deep
head -c 18000000 /dev/urandom >data/large.bin
echo one >"data/deep/one ü.txt"
s3 ls | grep -F "s3://$bucket"
s3 put --multipart-chunk-size-mb=5 data/large.bin "s3://$bucket/large.bin"
s3 get "s3://$bucket/large.bin" again.bin
cmp data/large.bin again.bin
s3 put --recursive data/ "s3://$bucket/data/"
test "$(s3 ls --recursive "s3://$bucket/data/" | wc -l)" = 2
s3 info "s3://$bucket/data/large.bin" | grep -F 'File size: 18000000'
s3 sync data/ "s3://$bucket/data/" | (! grep -F upload)
s3 cp "s3://$bucket/data/large.bin" "s3://$bucket/copy.bin"
s3 mv "s3://$bucket/copy.bin" "s3://$bucket/moved.bin"
s3 setacl --acl-public "s3://$bucket/moved.bin"
s3 modify --add-header='Content-Type: text/x-test' "s3://$bucket/moved.bin"
s3 info "s3://$bucket/moved.bin" | grep -F text/x-test
s3 du "s3://$bucket/data/" | grep -F 18000004
s3 mb "s3://$bucket-made"
s3 rb "s3://$bucket-made"
s3 del --recursive --force "s3://$bucket/data/"
test "$(s3 ls --recursive "s3://$bucket/data/" | wc -l)" = 0
s3 multipart "s3://$bucket"
