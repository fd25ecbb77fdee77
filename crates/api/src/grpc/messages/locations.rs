//! What does a location consist of, and what is asked about locations?

use super::location;
use crate::grpc::message::message;

message! {
    location::ListLocationsRequest { name, filter, page_size, page_token };
    location::ListLocationsResponse { locations, next_page_token };
    location::GetLocationRequest { name };
    location::Location { name, location_id, display_name, labels, metadata };
}
