# DVC keeps the versions of data in S3: push, pull, gc. Argument: a bucket.
bucket=$1
export DVC_NO_ANALYTICS=1 DVC_SITE_CACHE_DIR=$PWD/site

dvc init --no-scm --quiet
dvc remote add --default store "s3://$bucket/dvc"
dvc remote modify store endpointurl "$AWS_ENDPOINT_URL"

mkdir data
for number in $(seq 30); do echo "$number" >"data/$number.txt"; done
head -c 12000000 /dev/urandom >data/large.bin
cp -r data first
dvc add data
dvc push
dvc status --cloud | grep -F 'in sync'

rm -r .dvc/cache data
dvc pull
diff --recursive first data

# A second version, and then only that one is kept
echo changed >data/1.txt
dvc add data
dvc push
dvc gc --workspace --cloud --force
rm -r .dvc/cache data
dvc pull
test "$(cat data/1.txt)" = changed
