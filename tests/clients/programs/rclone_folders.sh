# rclone copies, compares and removes folders. Argument: a bucket.
# The rest of the remote `aws:` is in RCLONE_CONFIG_AWS_*.
bucket=$1
export RCLONE_CONFIG_AWS_TYPE=s3 RCLONE_CONFIG_AWS_ENV_AUTH=true RCLONE_S3_UPLOAD_CUTOFF=6M

mkdir -p data/deep
head -c 17000000 /dev/urandom >data/large.bin
for number in $(seq 20); do echo "$number" >"data/deep/ü $number+.txt"; done

rclone copy data "aws:$bucket/data"
rclone check --download data "aws:$bucket/data"
rclone check data "aws:$bucket/data"
rclone lsf --recursive --files-only "aws:$bucket/data" | sort >listing
(cd data && find . -type f -printf '%P\n' | sort) | diff - listing
rclone size --json "aws:$bucket/data" | grep -F '"count":21'

# Times of files are kept in metadata, so nothing is copied twice.
rclone sync --stats-one-line --stats-log-level NOTICE data "aws:$bucket/data" 2>&1 | grep -F ' 0 B / 0 B'
rm "data/deep/ü 7+.txt"
rclone sync data "aws:$bucket/data"
test "$(rclone lsf "aws:$bucket/data/deep" | wc -l)" = 19

test "$(rclone cat "aws:$bucket/data/deep/ü 8+.txt")" = 8
rclone cat --offset 1000 --count 10 "aws:$bucket/data/large.bin" | cmp - <(tail -c +1001 data/large.bin | head -c 10)
echo streamed | rclone rcat "aws:$bucket/streamed"
rclone moveto "aws:$bucket/data/large.bin" "aws:$bucket/moved/larger.bin"
rclone copy "aws:$bucket/moved" back
cmp data/large.bin back/larger.bin
rclone hashsum MD5 "aws:$bucket/moved" | grep -F "$(md5sum <data/large.bin | cut -d ' ' -f 1)"
rclone mkdir "aws:$bucket-made"
rclone lsd aws: | grep -F "$bucket-made"
rclone rmdir "aws:$bucket-made"
rclone purge "aws:$bucket/data"
test "$(rclone lsf "aws:$bucket/data" 2>/dev/null | wc -l)" = 0
rclone cleanup "aws:$bucket"
