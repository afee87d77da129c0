# What examples for SageMaker do to an image of one's own, by the name that it has on AWS. $1 is the repository.
account=$(aws sts get-caller-identity --query Account --output text)
region=$(aws configure get region || echo "${AWS_DEFAULT_REGION}")
host=$account.dkr.ecr.$region.amazonaws.com
name=$host/$1:latest

if ! aws ecr describe-repositories --repository-names "$1" >/dev/null 2>&1; then
  aws ecr create-repository --repository-name "$1" >/dev/null
fi
aws ecr get-login-password --region "$region" | docker login --username AWS --password-stdin "$host"

printf 'FROM scratch\nCOPY train /opt/program/train\n' >Dockerfile
echo '#!/bin/sh' >train
docker build --quiet --tag "$1" .
docker tag "$1" "$name"
docker push --quiet "$name"
docker image rm "$1" "$name" >/dev/null
docker pull --quiet "$name"
