# The AWS CLI's commands of S3. Arguments: a bucket, and one more that this script makes and removes.
bucket=$1 other=$2

mkdir -p data/deep/er
head -c 20000000 /dev/urandom >data/large.bin
printf 'one' >data/one.txt
printf 'two' >"data/deep/er/two words ü+.txt"

aws s3 mb "s3://$other"
aws s3 ls | grep -F "$other"

# One object, up, between buckets, down: in parts. And through pipes
aws s3 cp data/large.bin "s3://$bucket/large.bin"
aws s3 cp "s3://$bucket/large.bin" "s3://$other/large.bin"
aws s3 mv "s3://$other/large.bin" large.again
cmp data/large.bin large.again
printf 'by a pipe' | aws s3 cp - "s3://$bucket/piped"
test "$(aws s3 cp "s3://$bucket/piped" -)" = 'by a pipe'

# Whole folders
aws s3 cp --recursive data "s3://$bucket/data"
aws s3 ls --recursive --summarize "s3://$bucket/data" | tee listing
grep -F 'data/deep/er/two words ü+.txt' listing
grep -F 'Total Objects: 3' listing
test "$(aws s3 ls "s3://$bucket/data/" | grep -c PRE)" = 1

# What is the same is not copied again; what is gone is deleted where asked
mv data/one.txt data/three.txt
aws s3 sync --delete data "s3://$bucket/data" >synced
grep -F "delete: s3://$bucket/data/one.txt" synced
grep -F "upload: data/three.txt" synced
! grep -F large.bin synced
aws s3 sync "s3://$bucket/data" back
diff --recursive data back
aws s3 sync --exclude '*' --include '*.txt' "s3://$bucket/data" "s3://$other/texts"

# Moved and removed
aws s3 mv --recursive "s3://$other/texts" moved
diff data/three.txt moved/three.txt
diff --recursive data/deep moved/deep
aws s3 rm --recursive "s3://$bucket/data"

# The API as it is
aws s3api put-object --bucket "$other" --key api --body data/three.txt --metadata a=b --tagging 'k=v' >/dev/null
aws s3api get-object-tagging --bucket "$other" --key api --query 'TagSet[0].Value' --output text | grep -Fx v
aws s3api list-objects-v2 --bucket "$other" --query 'Contents[].Key' --output text | grep -Fx api
aws s3api get-object --bucket "$other" --key api --range bytes=0-1 part >/dev/null
test "$(cat part)" = on
! aws s3api head-object --bucket "$other" --key piped
aws s3 presign "s3://$other/api" | xargs python3 -c 'import sys, urllib.request as u; print(u.urlopen(sys.argv[1]).read())'
aws s3 rb --force "s3://$other"
