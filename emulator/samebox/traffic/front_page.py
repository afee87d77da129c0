"""The page at / for a browser: what the emulator is, and how to configure clients for it. It fetches nothing."""

from html import escape

HEADERS = (
    (b"content-type", b"text/html; charset=utf-8"),
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'",
    ),
    (b"cache-control", b"no-store"),
    (b"vary", b"Accept, Authorization"),
)

_STYLE = """
:root { color-scheme: light dark; --back: #f6f7f9; --card: #fff; --ink: #16191f; --soft: #58606b; --rule: #d9dde3;
  --link: #0b5cad; --state: #1b6e3c; }
@media (prefers-color-scheme: dark) { :root { --back: #14171b; --card: #1d2126; --ink: #e8eaed; --soft: #a3abb5;
  --rule: #343a42; --link: #8ab8f0; --state: #7bd69c; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; overflow-wrap: anywhere; }
main { max-width: 46rem; margin: 0 auto; padding: 1rem; }
header, section { background: var(--card); border: 1px solid var(--rule); border-radius: .6rem; padding: .9rem 1rem;
  margin: 0 0 .8rem; }
header { border-top: .4rem solid var(--state); }
h1 { font-size: 1.35rem; line-height: 1.3; margin: 0 0 .3rem; }
h2 { font-size: 1.05rem; line-height: 1.35; margin: 0 0 .3rem; }
p, ul { margin: .35rem 0 0; } ul { padding-left: 1.2rem; }
a { color: var(--link); }
code, pre { font: .88em/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
pre { white-space: pre-wrap; margin: .4rem 0 0; padding: .6rem .7rem; background: var(--back); border-radius: .4rem; }
.soft { color: var(--soft); font-size: .88rem; }
"""
_AWS = "https://docs.aws.amazon.com/sagemaker/latest/dg"
_FURTHER = (
    (f"{_AWS}/your-algorithms-training-algo-running-container.html", "AWS: how SageMaker runs a training image"),
    (f"{_AWS}/your-algorithms-inference-code.html", "AWS: what an image must do to serve"),
    (
        "https://boto3.amazonaws.com/v1/documentation/api/latest/reference/services/sagemaker.html",
        "boto3: the operations of SageMaker",
    ),
)


def write(url: str, version: str, account: str, region: str, has_token: bool) -> str:
    """The page of an emulator that the browser reached at `url`. With a token set it shows the version only."""
    values = {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "<12 digits, the account>" if has_token else account,
        "AWS_SECRET_ACCESS_KEY": "<the emulator's token>" if has_token else "samebox",
        "AWS_DEFAULT_REGION": "<a region>" if has_token else region,
    }
    exports = "\n".join(f"export {name}={value}" for name, value in values.items())
    registry = url.partition("://")[2]
    links = "\n".join(f'<li><a href="{escape(to)}" rel="noreferrer">{escape(text)}</a></li>' for to, text in _FURTHER)
    status = "" if has_token else ' Its <a href="/_samebox/status">status</a> is JSON.'
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>samebox: a local SageMaker</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<header>
<h1>samebox: a local SageMaker</h1>
<p>This URL speaks the APIs of Amazon SageMaker, S3, ECR, CloudWatch Logs and STS to unmodified AWS clients. Training
jobs and endpoints run as containers on this machine; nothing is sent to AWS.</p>
<p class="soft">Version {escape(version)}.{status}</p>
</header>
<section>
<h2>Point your clients here</h2>
<p>In a shell with samebox on its PATH: <code>eval "$(samebox env)"</code>. Anywhere else:</p>
<pre>{escape(exports)}</pre>
<p>Then boto3, the AWS CLI and every other client that reads these variables talk to the emulator:</p>
<pre>aws s3 mb s3://my-bucket
aws sagemaker list-training-jobs
python -c 'import boto3; print(boto3.client("sts").get_caller_identity())'</pre>
</section>
<section>
<h2>Push images</h2>
<pre>{escape(f"aws ecr get-login-password | docker login --username AWS --password-stdin {registry}")}</pre>
<p class="soft">Docker speaks plain http to <code>localhost</code> only. <code>samebox push</code> does all of it.</p>
</section>
<section>
<h2>Further</h2>
<p><code>samebox --help</code> lists the commands. The folder docs of samebox's repository has the
settings, what runs and what does not.</p>
<ul>
{links}
</ul>
</section>
</main>
</body>
</html>
"""
