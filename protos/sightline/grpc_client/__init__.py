"""What Sightline's gRPC clients share: how channels are opened, and how calls are spread over several servers."""

from sightline.grpc_client.channels import Address, ChannelConfig, check_names
from sightline.grpc_client.load_balancer import Hedging, LoadBalancer
from sightline.grpc_client.servers import Metadata

__all__ = ["Address", "ChannelConfig", "Hedging", "LoadBalancer", "Metadata", "check_names"]
