// webrtc-rs behind bridge.mjs: does what a line on the standard input says, tells what happens on the standard output.
use std::collections::HashMap;
use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use base64::{engine::general_purpose::STANDARD, Engine};
use bytes::Bytes;
use serde_json::{json, Value};
use tokio::io::{AsyncBufReadExt, BufReader};
use webrtc::api::APIBuilder;
use webrtc::data_channel::data_channel_message::DataChannelMessage;
use webrtc::data_channel::RTCDataChannel;
use webrtc::ice_transport::ice_candidate::RTCIceCandidateInit;
use webrtc::ice_transport::ice_server::RTCIceServer;
use webrtc::peer_connection::configuration::RTCConfiguration;
use webrtc::peer_connection::offer_answer_options::RTCOfferOptions;
use webrtc::peer_connection::policy::ice_transport_policy::RTCIceTransportPolicy;
use webrtc::peer_connection::sdp::session_description::RTCSessionDescription;
use webrtc::peer_connection::RTCPeerConnection;

type Outcome = Result<(), Box<dyn Error + Send + Sync>>;
type Channels = Arc<Mutex<HashMap<u64, Arc<RTCDataChannel>>>>;

fn say(words: Value) {
    println!("{words}");
}

fn text(order: &Value, name: &str) -> String {
    order[name].as_str().unwrap_or_default().to_owned()
}

fn adopt(channels: &Channels, id: u64, channel: Arc<RTCDataChannel>) {
    channel.on_open(Box::new(move || {
        say(json!({"is": "open", "id": id}));
        Box::pin(async {})
    }));
    channel.on_close(Box::new(move || {
        say(json!({"is": "closed", "id": id}));
        Box::pin(async {})
    }));
    channel.on_message(Box::new(move |message: DataChannelMessage| {
        say(if message.is_string {
            json!({"is": "message", "id": id, "text": String::from_utf8_lossy(&message.data)})
        } else {
            json!({"is": "message", "id": id, "binary": STANDARD.encode(&message.data)})
        });
        Box::pin(async {})
    }));
    channels.lock().unwrap().insert(id, channel);
}

async fn connect(order: &Value, channels: &Channels) -> Result<Arc<RTCPeerConnection>, webrtc::Error> {
    let servers = order["ice_servers"].as_array().cloned().unwrap_or_default();
    let configuration = RTCConfiguration {
        ice_servers: servers
            .iter()
            .map(|server| RTCIceServer {
                urls: match &server["urls"] {
                    Value::Array(urls) => urls.iter().filter_map(|url| url.as_str().map(str::to_owned)).collect(),
                    url => vec![url.as_str().unwrap_or_default().to_owned()],
                },
                username: text(server, "username"),
                credential: text(server, "credential"),
            })
            .collect(),
        ice_transport_policy: if order["policy"] == "relay" { RTCIceTransportPolicy::Relay } else { RTCIceTransportPolicy::All },
        ..Default::default()
    };
    let connection = Arc::new(APIBuilder::new().build().new_peer_connection(configuration).await?);
    connection.on_peer_connection_state_change(Box::new(|state| {
        say(json!({"is": "state", "state": state.to_string()}));
        Box::pin(async {})
    }));
    let (arrived, known) = (AtomicU64::new(1), channels.clone());
    connection.on_data_channel(Box::new(move |channel| {
        let id = arrived.fetch_add(2, Ordering::Relaxed);
        say(json!({"is": "channel", "id": id, "label": channel.label()}));
        adopt(&known, id, channel);
        Box::pin(async {})
    }));
    let described = Arc::downgrade(&connection);
    connection.on_ice_candidate(Box::new(move |candidate| {
        let described = described.clone();
        Box::pin(async move {
            match candidate.map(|found| found.to_json()) {
                Some(Ok(found)) => say(json!({"is": "candidate", "candidate": found.candidate, "mid": found.sdp_mid.unwrap_or_default(),
                    "line": found.sdp_mline_index.unwrap_or_default()})),
                Some(Err(error)) => say(json!({"is": "failed", "what": error.to_string()})),
                None => {
                    if let Some(connection) = described.upgrade() {
                        let whole = connection.local_description().await.map(|description| description.sdp);
                        say(json!({"is": "gathered", "sdp": whole.unwrap_or_default()}));
                    }
                }
            }
        })
    }));
    Ok(connection)
}

async fn describe(connection: &RTCPeerConnection, description: RTCSessionDescription) -> Outcome {
    say(json!({"is": "description", "type": description.sdp_type.to_string(), "sdp": description.sdp}));
    Ok(connection.set_local_description(description).await?)
}

async fn selected_pair(connection: &RTCPeerConnection) -> String {
    match connection.sctp().transport().ice_transport().get_selected_candidate_pair().await {
        Some(pair) => format!("{}-{}", pair.local.typ, pair.remote.typ),
        None => String::new(),
    }
}

async fn obey(order: &Value, connection: &RTCPeerConnection, channels: &Channels) -> Outcome {
    let id = order["id"].as_u64().unwrap_or_default();
    let channel = || channels.lock().unwrap().get(&id).cloned().ok_or("no such channel");
    match order["do"].as_str().unwrap_or_default() {
        "channel" => adopt(channels, id, connection.create_data_channel(&text(order, "label"), None).await?),
        "offer" => {
            let ice_restart = order["restart"] == true;
            let offer = connection.create_offer(Some(RTCOfferOptions { ice_restart, ..Default::default() })).await?;
            describe(connection, offer).await?;
        }
        "take" if order["type"] == "answer" => {
            connection.set_remote_description(RTCSessionDescription::answer(text(order, "sdp"))?).await?;
        }
        "take" => {
            connection.set_remote_description(RTCSessionDescription::offer(text(order, "sdp"))?).await?;
            describe(connection, connection.create_answer(None).await?).await?;
        }
        "candidate" => {
            let candidate = RTCIceCandidateInit {
                candidate: text(order, "candidate"),
                sdp_mid: order["mid"].as_str().map(str::to_owned),
                sdp_mline_index: order["line"].as_u64().map(|line| line as u16),
                username_fragment: None,
            };
            connection.add_ice_candidate(candidate).await?;
        }
        "send" => {
            match order["text"].as_str() {
                Some(message) => channel()?.send_text(message).await?,
                None => channel()?.send(&Bytes::from(STANDARD.decode(text(order, "binary"))?)).await?,
            };
        }
        "close_channel" => channel()?.close().await?,
        "pair" => say(json!({"is": "pair", "pair": selected_pair(connection).await})),
        "close" => connection.close().await?,
        other => return Err(format!("no such order: {other}").into()),
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Outcome {
    let channels = Channels::default();
    let mut connection: Option<Arc<RTCPeerConnection>> = None;
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        let order: Value = serde_json::from_str(&line)?;
        let done = match &connection {
            Some(existing) => obey(&order, existing, &channels).await,
            None => connect(&order, &channels).await.map(|made| connection = Some(made)).map_err(Into::into),
        };
        if let Err(error) = done {
            say(json!({"is": "failed", "what": error.to_string()}));
        }
    }
    Ok(())
}
