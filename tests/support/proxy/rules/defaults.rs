//! What AWS adds to a distribution's configuration (docs/aws.md, "what AWS fills in"), and what it
//! wants to see again on an update (docs/aws.md, "an update needs more than a creation").

use std::sync::LazyLock;

use super::super::xml::Element;

static CONFIG: LazyLock<Element> = LazyLock::new(|| {
    template(
        "<Aliases><Quantity>0</Quantity></Aliases><DefaultRootObject/>\
         <OriginGroups><Quantity>0</Quantity></OriginGroups><CacheBehaviors><Quantity>0</Quantity></CacheBehaviors>\
         <CustomErrorResponses><Quantity>0</Quantity></CustomErrorResponses><Comment/>\
         <Logging><Enabled>false</Enabled><IncludeCookies>false</IncludeCookies><Bucket/><Prefix/></Logging>\
         <PriceClass>PriceClass_All</PriceClass>\
         <Restrictions><GeoRestriction><RestrictionType>none</RestrictionType><Quantity>0</Quantity>\
         </GeoRestriction></Restrictions>\
         <WebACLId/><HttpVersion>http2</HttpVersion><IsIPV6Enabled>true</IsIPV6Enabled>\
         <ContinuousDeploymentPolicyId/><Staging>false</Staging>",
    )
});

static CERTIFICATE: LazyLock<Element> = LazyLock::new(|| {
    template(
        "<CloudFrontDefaultCertificate>true</CloudFrontDefaultCertificate><SSLSupportMethod>vip</SSLSupportMethod>\
         <MinimumProtocolVersion>TLSv1</MinimumProtocolVersion><CertificateSource>cloudfront</CertificateSource>",
    )
});

static ORIGIN: LazyLock<Element> = LazyLock::new(|| {
    template(
        "<OriginPath/><CustomHeaders><Quantity>0</Quantity></CustomHeaders>\
         <ConnectionAttempts>3</ConnectionAttempts><ConnectionTimeout>10</ConnectionTimeout>\
         <OriginShield><Enabled>false</Enabled></OriginShield><OriginAccessControlId/>",
    )
});

static S3_ORIGIN: LazyLock<Element> =
    LazyLock::new(|| template("<OriginReadTimeout>30</OriginReadTimeout>"));

static CUSTOM_ORIGIN: LazyLock<Element> = LazyLock::new(|| {
    template(
        "<OriginReadTimeout>30</OriginReadTimeout><OriginKeepaliveTimeout>5</OriginKeepaliveTimeout>",
    )
});

static BEHAVIOR: LazyLock<Element> = LazyLock::new(|| {
    template(
        "<TrustedSigners><Enabled>false</Enabled><Quantity>0</Quantity></TrustedSigners>\
         <TrustedKeyGroups><Enabled>false</Enabled><Quantity>0</Quantity></TrustedKeyGroups>\
         <AllowedMethods><Quantity>2</Quantity><Items><Method>HEAD</Method><Method>GET</Method></Items>\
         <CachedMethods><Quantity>2</Quantity><Items><Method>HEAD</Method><Method>GET</Method></Items>\
         </CachedMethods></AllowedMethods>\
         <SmoothStreaming>false</SmoothStreaming><Compress>false</Compress>\
         <LambdaFunctionAssociations><Quantity>0</Quantity></LambdaFunctionAssociations>\
         <FunctionAssociations><Quantity>0</Quantity></FunctionAssociations><FieldLevelEncryptionId/>\
         <GrpcConfig><Enabled>false</Enabled></GrpcConfig>",
    )
});

fn template(members: &str) -> Element {
    Element::parse(format!("<Template>{members}</Template>").as_bytes()).unwrap()
}

/// Adds what a `DistributionConfig` lacks.
pub fn fill(config: &mut Element) {
    config.fill_from(&CONFIG);
    if config.at(&["ViewerCertificate"]).is_none() {
        config.children.push(Element::new("ViewerCertificate", ""));
    }
    let certificate = config.at_mut(&["ViewerCertificate"]).unwrap();
    if matches!(certificate.text_at(&["CloudFrontDefaultCertificate"]), "" | "true")
        && certificate.at(&["ACMCertificateArn"]).is_none()
        && certificate.at(&["IAMCertificateId"]).is_none()
    {
        certificate.fill_from(&CERTIFICATE);
    }
    if let Some(origins) = config.at_mut(&["Origins", "Items"]) {
        for origin in &mut origins.children {
            origin.fill_from(&ORIGIN);
            if let Some(s3) = origin.at_mut(&["S3OriginConfig"]) {
                s3.fill_from(&S3_ORIGIN);
            }
            if let Some(custom) = origin.at_mut(&["CustomOriginConfig"]) {
                custom.fill_from(&CUSTOM_ORIGIN);
            }
        }
    }
    if let Some(behavior) = config.at_mut(&["DefaultCacheBehavior"]) {
        behavior.fill_from(&BEHAVIOR);
    }
    if let Some(behaviors) = config.at_mut(&["CacheBehaviors", "Items"]) {
        for behavior in &mut behaviors.children {
            behavior.fill_from(&BEHAVIOR);
        }
    }
}

/// The default behavior and all others.
pub fn behaviors(config: &Element) -> impl Iterator<Item = &Element> {
    config.at(&["DefaultCacheBehavior"]).into_iter().chain(config.items(&["CacheBehaviors"]))
}

/// The first thing that an update lacks.
pub fn missing_on_update(config: &Element) -> Option<&'static str> {
    const OF_BEHAVIOR: [&[&str]; 8] = [
        &["SmoothStreaming"],
        &["FieldLevelEncryptionId"],
        &["LambdaFunctionAssociations"],
        &["FunctionAssociations"],
        &["TrustedSigners"],
        &["TrustedKeyGroups"],
        &["AllowedMethods"],
        &["AllowedMethods", "CachedMethods"],
    ];
    const OF_ORIGIN: [&[&str]; 2] = [&["OriginPath"], &["CustomHeaders"]];
    const OF_CUSTOM_ORIGIN: [&[&str]; 2] = [&["OriginReadTimeout"], &["OriginKeepaliveTimeout"]];
    let lacks = |element: &Element, paths: &[&'static [&'static str]]| {
        paths.iter().find(|path| element.at(path).is_none()).and_then(|path| path.last().copied())
    };
    let customs =
        config.items(&["Origins"]).filter_map(|origin| origin.at(&["CustomOriginConfig"]));
    behaviors(config)
        .find_map(|behavior| lacks(behavior, &OF_BEHAVIOR))
        .or_else(|| config.items(&["Origins"]).find_map(|origin| lacks(origin, &OF_ORIGIN)))
        .or_else(|| customs.into_iter().find_map(|custom| lacks(custom, &OF_CUSTOM_ORIGIN)))
}
