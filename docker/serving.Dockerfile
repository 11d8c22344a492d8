# Answers for one model by the Open Inference Protocol, by its proven twin: without TensorFlow.
ARG BASE_IMAGE
FROM ${BASE_IMAGE} AS environment
COPY .tools/bin/uv /usr/local/bin/uv
RUN apt-get update -q && apt-get install -qy --no-install-recommends binutils # strip
COPY docker/install.sh locks/kfp-executor.txt locks/images/serving.txt /build/
RUN --mount=type=secret,id=index --mount=type=secret,id=certificates \
    /build/install.sh /build/kfp-executor.txt /build/serving.txt
COPY docker/slim.sh /build/
RUN /build/slim.sh
COPY components /opt/millrace/components
RUN /opt/venv/bin/python3 -m compileall -q --invalidation-mode unchecked-hash /opt/millrace

FROM ${BASE_IMAGE}
COPY docker/finish.sh /tmp/
RUN /tmp/finish.sh && rm /tmp/finish.sh
COPY --from=environment /opt/venv /opt/venv
COPY --from=environment /opt/millrace /opt/millrace
ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin PYTHONPATH=/opt/millrace PYTHONUNBUFFERED=1 HOME=/tmp
WORKDIR /opt/millrace
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["python3", "-m", "components.serving.server"]
ARG BASE_IMAGE
ARG VERSION
ARG REVISION
LABEL org.opencontainers.image.title="millrace/serving" \
      org.opencontainers.image.description="Answers for one model by the Open Inference Protocol, by its proven twin." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="${BASE_IMAGE}"
