# From data to predictions with the AWS CLI. Arguments: a name, the image, and the role.
name=$1 image=$2 role=$3
query() { aws "$@" --output text; }
await() { # what it should be, and the command that shows what it is
    local wanted=$1 seen='' tries=0
    shift
    until seen=$(query "$@") && [ "$seen" = "$wanted" ]; do
        case $seen in Failed | Stopped) exit 1 ;; esac
        tries=$((tries + 1))
        [ "$tries" -lt 200 ] || exit 1
    done
}

aws s3 mb "s3://$name"
printf '1\n2\n6\n' | aws s3 cp - "s3://$name/training/numbers.csv"
aws sagemaker create-training-job --training-job-name "$name" --role-arn "$role" \
    --algorithm-specification "TrainingImage=$image,TrainingInputMode=File" --hyper-parameters factor=2 \
    --input-data-config "ChannelName=training,DataSource={S3DataSource={S3DataType=S3Prefix,S3Uri=s3://$name/training}}" \
    --output-data-config "S3OutputPath=s3://$name/models" --stopping-condition MaxRuntimeInSeconds=600 \
    --resource-config InstanceType=ml.m5.large,InstanceCount=1,VolumeSizeInGB=5
await Completed sagemaker describe-training-job --training-job-name "$name" --query TrainingJobStatus
model=$(query sagemaker describe-training-job --training-job-name "$name" --query ModelArtifacts.S3ModelArtifacts)
aws logs tail /aws/sagemaker/TrainingJobs --log-stream-name-prefix "$name" --format short 2>/dev/null | grep -F 'mean=6.0' ||
    aws logs filter-log-events --log-group-name /aws/sagemaker/TrainingJobs --log-stream-name-prefix "$name" | grep -F 'mean=6.0'

aws sagemaker create-model --model-name "$name" --execution-role-arn "$role" \
    --primary-container "Image=$image,ModelDataUrl=$model"
aws sagemaker create-endpoint-config --endpoint-config-name "$name" --production-variants \
    "VariantName=all,ModelName=$name,InstanceType=ml.m5.large,InitialInstanceCount=1"
aws sagemaker create-endpoint --endpoint-name "$name" --endpoint-config-name "$name"
await InService sagemaker describe-endpoint --endpoint-name "$name" --query EndpointStatus
printf '1,10' >body.csv
aws sagemaker-runtime invoke-endpoint --endpoint-name "$name" --content-type text/csv --body fileb://body.csv answer.csv
test "$(cat answer.csv)" = 6.0,60.0

aws sagemaker delete-endpoint --endpoint-name "$name"
aws sagemaker delete-endpoint-config --endpoint-config-name "$name"
aws sagemaker delete-model --model-name "$name"
test "$(query sagemaker list-models --name-contains "$name" --query 'length(Models)')" = 0
