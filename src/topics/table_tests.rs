use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

const MAX_TOPICS: usize = 6;
const MAX_NAME: usize = 3;

#[derive(Debug, Clone)]
enum Step {
    Join,
    Leave(usize),
    Subscribe(usize, usize, Policy),
    Unsubscribe(usize, usize),
    Publish(usize, Vec<usize>),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        2 => Just(Step::Join),
        1 => any::<usize>().prop_map(Step::Leave),
        8 => (any::<usize>(), 0..9usize, 0..4u32)
            .prop_map(|(member, topic, policy)| Step::Subscribe(member, topic, Policy::from_bits(policy))),
        4 => (any::<usize>(), 0..9usize).prop_map(|(member, topic)| Step::Unsubscribe(member, topic)),
        3 => (0..9usize, prop::collection::vec(any::<usize>(), 0..3))
            .prop_map(|(topic, except)| Step::Publish(topic, except)),
    ];
    prop::collection::vec(step, 1..200)
}

/// The names that programs use here; some are no good.
fn name(topic: usize) -> &'static [u8] {
    [b"a" as &[u8], b"b", b"cc", b"\0", b"\xff\xfe", b"", b"long", b"d", b"e"][topic]
}

/// What [`Topics`] should do, in the plainest way.
#[derive(Default)]
struct Model {
    members: Vec<SlotId>,
    topics: BTreeMap<Vec<u8>, BTreeMap<u32, Policy>>,
}

impl Model {
    fn topics_of(&self, id: SlotId) -> BTreeSet<Vec<u8>> {
        let has = self.topics.iter().filter(|(_, members)| members.contains_key(&id.raw()));
        has.map(|(topic, _)| topic.clone()).collect()
    }

    fn subscribe(&mut self, id: SlotId, name: &[u8], policy: Policy) -> Result<Subscribed, Refused> {
        if name.is_empty() || name.len() > MAX_NAME {
            return Err(Refused::Name);
        }
        let topics = self.topics_of(id);
        if !topics.contains(name) && topics.len() == MAX_TOPICS {
            return Err(Refused::TooMany);
        }
        let members = self.topics.entry(name.to_vec()).or_default();
        let first = members.is_empty();
        let again = members.insert(id.raw(), policy).is_some();
        Ok(match (first, again) {
            (true, _) => Subscribed::First,
            (_, true) => Subscribed::Again,
            _ => Subscribed::New,
        })
    }

    fn unsubscribe(&mut self, id: SlotId, name: &[u8]) -> Option<Ended> {
        let members = self.topics.get_mut(name)?;
        members.remove(&id.raw())?;
        let was_last = members.is_empty();
        if was_last {
            self.topics.remove(name);
        }
        Some(Ended { topic: Name::from(name), was_last })
    }
}

fn check(topics: &Topics<u32>, model: &Model) {
    let names: BTreeSet<Vec<u8>> = topics.names().map(|name| name.to_vec()).collect();
    assert_eq!(names, model.topics.keys().cloned().collect());
    for (name, members) in &model.topics {
        let actual: BTreeSet<u32> = topics.members_of(name).map(SlotId::raw).collect();
        assert_eq!(actual, members.keys().copied().collect());
        assert_eq!(topics.members_of(name).len(), members.len(), "nobody is there twice");
    }
    for &id in &model.members {
        let actual: BTreeSet<Vec<u8>> = topics.topics_of(id).map(|name| name.to_vec()).collect();
        assert_eq!(actual, model.topics_of(id));
        assert_eq!(topics.topics_of(id).count(), actual.len());
    }
    let subscriptions = model.topics.values().map(BTreeMap::len).sum();
    assert_eq!(topics.counts(), [model.members.len(), model.topics.len(), subscriptions]);
}

fn run(steps: Vec<Step>) {
    let mut topics = Topics::new(MAX_TOPICS, MAX_NAME);
    let mut model = Model::default();
    let mut joined = 0;
    for step in steps {
        // Without members there is only one thing to do.
        let pick =
            |index: usize, model: &Model| model.members.get(index % model.members.len().max(1)).copied();
        match step {
            Step::Join => {
                joined += 1;
                model.members.push(topics.join(joined).expect("there is room"));
            }
            Step::Leave(index) => {
                let Some(id) = pick(index, &model) else { continue };
                let expected: Vec<Ended> =
                    model.topics_of(id).iter().filter_map(|name| model.unsubscribe(id, name)).collect();
                model.members.retain(|member| *member != id);
                let (_, mut ended) = topics.leave(id).expect("it was there");
                ended.sort_by(|a, b| a.topic.cmp(&b.topic));
                assert_eq!(ended, expected);
                assert!(topics.leave(id).is_none());
                assert_eq!(topics.subscribe(id, b"a", Policy::Queue), Err(Refused::NoMember));
            }
            Step::Subscribe(index, topic, policy) => {
                let Some(id) = pick(index, &model) else { continue };
                let expected = model.subscribe(id, name(topic), policy);
                assert_eq!(topics.subscribe(id, name(topic), policy), expected);
            }
            Step::Unsubscribe(index, topic) => {
                let Some(id) = pick(index, &model) else { continue };
                let is_subscribed = model.topics_of(id).contains(name(topic));
                assert_eq!(topics.is_subscribed(id, name(topic)), is_subscribed);
                assert_eq!(topics.unsubscribe(id, name(topic)), model.unsubscribe(id, name(topic)));
            }
            Step::Publish(topic, except) => {
                let mut except: Vec<SlotId> =
                    except.iter().filter_map(|index| pick(*index, &model)).collect();
                except.sort_by_key(|id| id.raw());
                let excepted = |id: u32| except.iter().any(|other| other.raw() == id);
                let members = model.topics.get(name(topic)).cloned().unwrap_or_default();
                let expected: BTreeMap<u32, Policy> =
                    members.into_iter().filter(|(id, _)| !excepted(*id)).collect();
                let mut reached = BTreeMap::new();
                topics.for_each(name(topic), &except, |recipient| {
                    assert_eq!(reached.insert(recipient.id.raw(), recipient.policy), None);
                });
                assert_eq!(reached, expected);
                let mut all = 0;
                topics.for_all(&except, |_| all += 1);
                assert_eq!(all, model.members.iter().filter(|id| !excepted(id.raw())).count());
            }
        }
        check(&topics, &model);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 4 } else { 400 }, ..ProptestConfig::default() })]

    #[test]
    fn it_does_what_the_naive_model_does(steps in steps()) {
        run(steps);
    }
}

#[test]
#[cfg_attr(miri, ignore = "takes minutes when interpreted")]
fn a_subscription_takes_at_most_64_bytes_whatever_the_shape() {
    for (members, each) in [(1, 1), (1, 5000), (5000, 1), (300, 40), (40, 300)] {
        for shared in [true, false] {
            let mut topics = Topics::new(usize::MAX, 255);
            for member in 0..members {
                let id = topics.join(0u32).expect("there is room");
                for topic in 0..each {
                    let topic = if shared { topic } else { member * each + topic };
                    topics.subscribe(id, format!("{topic}").as_bytes(), Policy::Queue).expect("no limit");
                }
            }
            let each_has = topics.heap_len() / (members * each);
            assert!(each_has <= 32, "{members} × {each}: {each_has} bytes");
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "takes minutes when interpreted")]
fn memory_is_given_back_when_subscriptions_end() {
    let mut topics = Topics::new(usize::MAX, 255);
    let ids: Vec<SlotId> = (0..1000).filter_map(|_| topics.join(0u32)).collect();
    for (index, id) in ids.iter().enumerate() {
        for topic in 0..20 {
            topics
                .subscribe(*id, format!("{}", (index + topic) % 50).as_bytes(), Policy::Queue)
                .expect("no limit");
        }
    }
    for id in &ids[10..] {
        topics.leave(*id).expect("it was there");
    }
    assert!(topics.heap_len() <= 200 * 32 * 4, "{} bytes for 200 subscriptions", topics.heap_len());
    for id in &ids[..10] {
        topics.leave(*id).expect("it was there");
    }
    assert_eq!((topics.heap_len(), topics.counts()), (0, [0, 0, 0]));
}

#[test]
fn what_is_held_ends_with_its_subscription() {
    use super::super::held::Message;
    let mut topics = Topics::new(8, 255);
    let id = topics.join(0u32).expect("there is room");
    topics.subscribe(id, b"a", Policy::Latest).expect("no limit");
    topics.for_each(b"a", &[], |recipient| {
        let message = Message { payload: bytes::Bytes::from_static(b"x"), is_text: true, compress: true };
        assert!(!recipient.holds());
        assert!(recipient.keep(&message));
    });
    assert!(topics.recipient(id, b"a").expect("it is subscribed").holds());
    topics.unsubscribe(id, b"a").expect("it was subscribed");
    assert_eq!(topics.take_held(id), []);
}
