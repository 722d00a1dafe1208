"""Price files with a negotiated price, a commitment, storage and a cache."""

PRICES = {
    "instances.csv": """\
cloud,region,instance_type,purchase_option,usd_per_hour,valid_from,as_of,source
aws,us-east-1,c7i.xlarge,on_demand,0.1785,,2025,test
aws,us-east-1,c7i.xlarge,reserved,0.12,,2025,test
""",
    "prices.toml": """\
[[discount]]
name = "enterprise"
percent = 10
purchase_option = "on_demand"
""",
    "resources.toml": """\
[[commitment]]
id = "ri-2025-1"
cloud = "aws"
region = "us-east-1"
instance_type = "c7i.xlarge"
count = 1
term_years = 1
from = 2025-11-03
usd_per_hour = "0.05"
upfront_usd = "500"

[[storage]]
name = "model repository"
cloud = "aws"
region = "us-east-1"
storage_class = "object_standard"
gb = "12.5"
from = 2025-11-01
usd_per_gb_month = "0.023"

[[cache]]
name = "redis"
cloud = "aws"
region = "us-east-1"
usd_per_hour = "0.068"
from = 2025-11-03
""",
}
